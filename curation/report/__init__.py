"""The report: one HTML file that shows, and lets people hear, what became of a job or is in a release."""
