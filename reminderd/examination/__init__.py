"""What a careful nurse would find in a protocol that reads well; begin with `nurse.py`."""
