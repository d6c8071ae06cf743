-- Once a session



-- A reset
