"""Reports of atomloom as pages and plots; what it brings is in `atomloom_report.plugin`."""
