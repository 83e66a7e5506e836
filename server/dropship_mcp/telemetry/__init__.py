"""Spans and metrics through OpenTelemetry. Imported only when the operator asks for them."""
