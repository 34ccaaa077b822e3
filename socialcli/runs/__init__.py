"""What a run leaves behind: predictions, accuracy, the manifest; and the settings it was made with."""
