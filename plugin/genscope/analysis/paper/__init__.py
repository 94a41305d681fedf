"""The paper's claims beside what recorded runs of the suite show.

`claims` has what the paper states (`paper.json`, the one place where its values are), `figures`
what is measured of a run (`packed` as plain data), `measures` what runs together say of each claim,
`view` the verdicts. `drawn` has the paper's figures from runs (`panels`), `recordings` the commands
that would fill them, `cited` what is stated beside them.
Measures are given runs and taxonomy alone, never a claim: a value of the paper cannot end up where
a measured one belongs.
"""
