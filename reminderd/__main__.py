"""`python -m reminderd` is the `reminderd` command."""

from reminderd.cli import main

if __name__ == "__main__":
    main()
