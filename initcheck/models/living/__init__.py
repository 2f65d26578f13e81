"""A model outside of torch that can be run: its arrays by path, its layers listened to, differentiated."""
