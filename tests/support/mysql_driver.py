"""A pytest plugin (`-p support.mysql_driver`) that uses PyMySQL in place of the mysqlclient of real sites.

PyMySQL needs no C library, so the tests run on every machine.
"""

import pymysql

pymysql.version_info = (2, 2, 7, "final", 0)  # the version of mysqlclient that it replaces
pymysql.install_as_MySQLdb()
