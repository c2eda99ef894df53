"""Files of jobs on the disk: their directories, the identity of the disk, deletion and retention."""
