"""The embedded sandbox: each provider's documented API as a small ASGI app over one SQLite file.

`world` holds what an app needs, `store` keeps the orders, `faults` lets them go wrong on request, `transport`
runs an app in process, `service` serves them on a loopback port. The apps stand in `<provider>/sandbox.py`.
"""
