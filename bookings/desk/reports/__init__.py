"""Reports: what happened in a stretch of days at one location, as a sentence, a chart, a table and a CSV file."""
