"""A module of torch that can be run: listened to by hooks, differentiated by autograd."""
