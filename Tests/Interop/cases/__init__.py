"""What glcnode and its peers do together, case by case."""
