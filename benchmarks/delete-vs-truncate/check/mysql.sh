#!/bin/sh
# DELETE against TRUNCATE by the mysql client and the clock of the server, without any code of afresh.
#   mysql.sh ROUNDS "SIZES" CLIENT...     for example: mysql.sh 15 "100 1000" mysql -h localhost mydb
# The database must be one that may lose its table `checked`. Prints lines ROWS,METHOD,MILLISECONDS.
rounds=$1 sizes=$2
shift 2
digits="(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
{
  echo "DROP TABLE IF EXISTS checked;"
  echo "CREATE TABLE checked (id int AUTO_INCREMENT PRIMARY KEY, parent int, a int, b int, c int, d int, e int,"
  echo "  label mediumtext, KEY (a)) ENGINE = InnoDB;"
  echo "CREATE TEMPORARY TABLE numbers (n int PRIMARY KEY);"
  echo "INSERT INTO numbers SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d FROM $digits a,"
  echo "  $digits b, $digits c, $digits d, $digits e;"
  for rows in $sizes; do
    for round in $(seq 0 "$rounds"); do
      # The order alternates.
      if [ $((round % 2)) = 0 ]; then methods="delete truncate"; else methods="truncate delete"; fi
      for method in $methods; do
        if [ "$method" = delete ]; then statement="DELETE FROM checked"; else statement="TRUNCATE TABLE checked"; fi
        echo "TRUNCATE TABLE checked;"
        echo "INSERT INTO checked SELECT n, NULLIF(n % 100, 0), n DIV 10, n % 1000, n % 10007 * 7919 % 10007, -n,"
        echo "  n, 'a label of a usual length' FROM numbers WHERE n <= $rows ORDER BY n;"
        echo "SET @began = SYSDATE(6); $statement; SET @ended = SYSDATE(6);"
        # Round 0 warms up.
        [ "$round" = 0 ] ||
          echo "SELECT CONCAT('$rows,$method,', TIMESTAMPDIFF(MICROSECOND, @began, @ended) / 1000) AS '';"
      done
    done
  done
} | "$@" --batch --skip-column-names | grep ,
