"""The five-minute check after a deploy: `python -m tools.verify --url=… --key=…`, or `make verify URL=… KEY=…`."""
