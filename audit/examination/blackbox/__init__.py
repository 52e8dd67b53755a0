"""The black box: vetted, loaded, checked, scored."""
