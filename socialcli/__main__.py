"""`python -m socialcli` is the command `socialcli`."""

from socialcli.cli import main

if __name__ == "__main__":
    main()
