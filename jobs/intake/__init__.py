"""The creation of jobs from uploads, links and files, and the options that are kept with them."""
