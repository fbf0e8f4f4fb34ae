"""The recipe of `minicpm-o-nano`: a toy of the published architecture that a CPU runs in real time.

Data is made from grammars and seeds, stages train the modules of `MiniCPMO45` themselves, and each
stage goes on from the weights that an earlier one exported. README.md lists the commands.
"""
