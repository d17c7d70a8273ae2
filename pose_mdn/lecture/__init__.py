"""The textbook made to run: mixture density networks, modes and variational autoencoders, one example per module.

Each example measures what the lecture claims and draws it; `pose-mdn lecture` runs them, docs/lecture.md explains them.
They use the library's own distributions and losses, so what a student sees here is what lifts poses.
"""
