"""NAME for atomloom; what it brings is in `atomloom_NAME.plugin`."""
