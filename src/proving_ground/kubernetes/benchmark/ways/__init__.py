"""The ways of asking: a module for each, which reads its questions and judges what was collected."""
