HELP = "x"


def add_to(p):
    pass
