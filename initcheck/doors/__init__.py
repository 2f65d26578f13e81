"""The ways in: what a user wrote becomes a plan, and a report becomes an answer.

``cli`` is the command line and ``under_pytest`` the plugin; both read the table ``options`` and make a plan of it with
``request``. ``check``, ``check_model``, ``same`` and ``lock`` are the functions that Python calls. ``commands`` and
``answers`` are for questions that run no claim.
"""
