#!/bin/sh
# DELETE against TRUNCATE by psql and \timing, without any code of afresh.
#   psql.sh ROUNDS "SIZES" CLIENT...      for example: psql.sh 15 "100 1000" psql -h localhost mydb
# The database must be one that may lose its table `checked`. Prints lines ROWS,METHOD,MILLISECONDS.
rounds=$1 sizes=$2
shift 2
{
  echo "DROP TABLE IF EXISTS checked;"
  echo "CREATE TABLE checked (id serial PRIMARY KEY, parent int, a int, b int, c int, d int, e int, label text)"
  echo "  WITH (autovacuum_enabled = false);"
  echo "CREATE INDEX ON checked (a);"
  for rows in $sizes; do
    for round in $(seq 0 "$rounds"); do
      # The order alternates.
      if [ $((round % 2)) = 0 ]; then methods="delete truncate"; else methods="truncate delete"; fi
      for method in $methods; do
        if [ "$method" = delete ]; then statement="DELETE FROM checked"; else statement="TRUNCATE checked"; fi
        echo "TRUNCATE checked RESTART IDENTITY;"
        echo "INSERT INTO checked (parent, a, b, c, d, e, label) SELECT nullif(n % 100, 0), n / 10, n % 1000,"
        echo "  n % 10007 * 7919 % 10007, -n, n, 'a label of a usual length' FROM generate_series(1, $rows) AS n;"
        # Round 0 warms up.
        [ "$round" = 0 ] || printf '%s\n' "\\echo MARK $rows $method" '\timing on'
        echo "$statement;"
        printf '%s\n' '\timing off'
      done
    done
  done
} | "$@" -X -q -v ON_ERROR_STOP=1 | awk '/^MARK/ { mark = $2 "," $3 } /^Time:/ { print mark "," $2 }'
