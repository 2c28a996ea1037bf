"""A pytest plugin (`-p support.mysql_driver`): PyMySQL as the driver, in place of the mysqlclient of real sites.

It needs no C library, so that the tests run on every machine.
"""

import pymysql

pymysql.version_info = (2, 2, 7, "final", 0)  # the mysqlclient that it stands for
pymysql.install_as_MySQLdb()
