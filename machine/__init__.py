"""What every program of this project needs of the machine it runs on, whichever program it is."""
