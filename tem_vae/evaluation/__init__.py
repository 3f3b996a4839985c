"""What one does with a trained model: load, test, tables, the page of figures."""
