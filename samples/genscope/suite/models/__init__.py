"""The models of the suite, one file each; `registry` lists them and loads one by name."""
