"""Which molecules and ions have their potentials computed.

Names are those of the G2 set, as ase has it, or SMILES. Elements are H, C, N, O, F, Si, P, S and Cl, each in several
surroundings, and all shells are closed.
"""

from __future__ import annotations

G2 = (
    "H2O", "NH3", "CH4", "HF", "HCl", "SH2", "PH3", "SiH4", "H2CO", "CH3OH", "HCN", "CO2", "C2H2", "C2H4", "C2H6",
    "N2H4", "H2O2", "HCOOH", "H3CNH2", "CH3CHO", "CH3CN", "H2CCO", "CO", "N2", "N2O", "CH3Cl", "CH3SH", "HCF3", "H2CF2",
    "CCl4", "C3H4_C3v", "C3H4_D2d", "C3H6_D3h", "CH3CH2OH", "CH3OCH3", "CH3CONH2", "CH3COOH", "CH3COCH3", "C2H6CHOH",
    "CH3CH2NH2", "CH3CH2Cl", "CH3CH2SH", "H2CCHF", "H2CCHCl", "CH3NO2", "OCS", "CS2", "SO2", "C4H4O", "C4H4NH", "C4H4S",
    "C5H5N", "HCOOCH3", "H2CCHCN",
)  # fmt: skip

G2_IONS = {
    "NH4+": ("CH4", {0: "N"}, None, 1),
    "H3O+": ("NH3", {0: "O"}, None, 1),
    "OH-": ("HF", {0: "O"}, None, -1),
    "CN-": ("CO", {0: "N"}, None, -1),
    "HCOO-": ("HCOOH", {}, 3, -1),
    "CH3O-": ("CH3OH", {}, 3, -1),
    "CH3NH3+": ("C2H6", {0: "N"}, None, 1),
    "NO2-": ("SO2", {0: "N"}, None, -1),
}
"""For each ion the molecule it is made of, elements that are exchanged, the atom that is left out, and its charge."""

SMILES_IONS = (
    "CC(=O)[O-]", "CCC(=O)[O-]", "OCC(=O)[O-]", "C=CC(=O)[O-]", "OC(=O)[O-]", "CC[O-]", "[O-]c1ccccc1", "C[S-]",
    "[SH-]", "[N-]=[N+]=[N-]", "[O-][N+](=O)[O-]", "[O-]C#N", "[S-]C#N", "CS(=O)(=O)[O-]", "C[NH2+]C", "C[NH+](C)C",
    "C[N+](C)(C)C", "CC[NH3+]", "OCC[NH3+]", "[NH3+]O", "N[NH3+]", "[nH]1cc[nH+]c1", "c1cc[nH+]cc1", "NC(N)=[NH2+]",
    "NC=[NH2+]",
    "CC(N)=[NH2+]", "C=[NH2+]", "C[OH2+]", "C=[OH+]", "CC(C)=[OH+]", "CC#[NH+]", "C[SH2+]", "C[PH3+]", "[PH4+]",
)  # fmt: skip

SMILES = (
    # hydrocarbons
    "CCC", "CCCC", "CC(C)C", "C1CCC1", "C1CCCC1", "C=CC", "C=CC=C", "C/C=C/C", "CC(C)=C", "C#CC#C", "CC#CC", "C1=CCC1",
    "C1=CC=CC1", "c1ccccc1", "Cc1ccccc1", "CC1CC1", "CC(C)(C)C", "C=C=C=C",
    # alcohols, ethers, peroxides
    "CCCO", "CC(C)(C)O", "OCCO", "C=CO", "COCCO", "C1CO1", "C1COC1", "C1CCOC1", "C1COCCO1", "CCOC", "COC=C", "COCOC",
    "OCC#C", "OCC=C", "Oc1ccccc1", "COc1ccccc1", "OCC#N", "OCCF", "OCCCl", "COO", "COOC", "OCO", "Cc1ccco1",
    # carbonyls and acids
    "CCC=O", "CCC(C)=O", "O=CC=O", "CC(=O)C=O", "C=CC=O", "CC(=O)C=C", "O=C1CCC1", "OCC=O", "CC(=O)CO", "CCC(=O)O",
    "OCC(=O)O", "CC(=O)OC", "CCOC=O", "O=C1CCO1", "COC(=O)OC", "C#CC=O", "O=C1CC1", "CC=C=O", "FC(F)=O", "ClC(Cl)=O",
    "CC(F)=O", "CC(=O)Cl", "OC(=O)C(O)=O", "OC(=O)C=C", "CC(=O)C#N", "OC(O)=O", "FC=O", "O=CN=O",
    # nitrogen
    "CNC", "CN(C)C", "CCCN", "NCCN", "NCCO", "C1CN1", "C1CNC1", "C1CCNC1", "C1COCCN1", "C=N", "CC=N", "CN=C", "C#CCN",
    "NC=O", "CNC=O", "CN(C)C=O", "CC(=O)NC", "NC(N)=O", "COC(N)=O", "NC#N", "CCC#N", "N#CC#N", "N#CCC#N", "CNN", "NO",
    "CNO", "CON", "CC=NO", "NCC#N", "NCC(=O)O", "NC(=N)N", "CC(N)=N", "CN=C=O", "CN=[N+]=[N-]", "C[N+]#[C-]", "N=C=O",
    "CC[N+](=O)[O-]", "CO[N+](=O)[O-]", "CON=O", "ON=O", "O[N+](=O)[O-]", "CN(C)N=O", "Nc1ccccc1", "c1ccnnc1",
    "c1cncnc1", "c1cnccn1", "c1c[nH]cn1", "c1cn[nH]c1", "c1cocn1", "c1cnoc1", "c1cscn1", "c1nc[nH]n1", "Cn1cccc1",
    "C=CN", "N=N", "CN=NC", "C=NO", "N#CC=O", "[N-]=[N+]=C", "NN=C", "Cc1c[nH]cn1",
    # sulfur
    "CSC", "CSSC", "SS", "C1CS1", "C1CCSC1", "CC(C)=S", "C=S", "CC(=O)S", "NC=S", "NC(N)=S", "CN=C=S", "N=C=S", "CSC#N",
    "CS(C)=O", "CS(C)(=O)=O", "CS(=O)(=O)O", "CS(N)(=O)=O", "OS(=O)O", "OS(=O)(=O)O", "Sc1ccccc1", "OCCS", "C=CS",
    "O=S(=O)=O", "CSO", "FS(F)=O",
    # halogens
    "CF", "FC(F)(F)F", "CCF", "CC(F)F", "FCCF", "CC(F)(F)F", "FC(F)=C", "F/C=C/F", "C#CF", "ClCCl", "ClC(Cl)Cl",
    "CC(Cl)Cl", "ClCCCl", "Cl/C=C/Cl", "ClC(Cl)=C", "C#CCl", "FCCl", "FC(F)Cl", "Fc1ccccc1", "Clc1ccccc1", "FCC=O",
    "ClCC#N", "FCC#N", "OC(=O)C(F)(F)F", "FC(F)(F)CO", "OC(=O)CCl", "NCl", "OCl", "ClC#N", "FC#N", "FN(F)F", "NF",
    # phosphorus and silicon
    "CP", "CPC", "CP(C)C", "CP(C)(C)=O", "OP(O)(O)=O", "OP(O)O", "FP(F)F", "ClP(Cl)Cl", "C=P", "C#P", "PP", "OP",
    "COP(O)(O)=O", "C[SiH3]", "C[SiH2]C", "O[SiH3]", "N[SiH3]", "F[SiH3]", "Cl[SiH3]", "F[Si](F)(F)F", "[SiH3]O[SiH3]",
    "[SiH3][SiH3]", "C=C[SiH3]", "C#C[SiH3]", "C[SiH2]O", "C[SiH2]Cl",
)  # fmt: skip
