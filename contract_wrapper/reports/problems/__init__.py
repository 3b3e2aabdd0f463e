"""Tables, figures and pages of studies of any design problem."""
