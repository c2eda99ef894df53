"""The stages of the pipeline, their dispatch, and the loop of the child that runs them."""
