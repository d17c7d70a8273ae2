"""The services: decode, ask the models, encode. Nothing here knows how calls are scheduled."""
