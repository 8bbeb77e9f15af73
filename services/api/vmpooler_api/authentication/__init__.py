"""Who a user is: name and password from a request, and the directories that know them."""
