"""The TensorBoard plugin: finds traces under the logdir, reads them aside, serves JSON."""
