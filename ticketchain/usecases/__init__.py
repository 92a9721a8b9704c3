"""What people do, one function a story step, each in one database transaction; calls to the outside are two steps
around it.
"""
