CREATE TABLE guests (
  id serial PRIMARY KEY,
  name text NOT NULL UNIQUE,
  invited_by integer REFERENCES guests (id)
);

CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);

-- What the background job of the application writes.
CREATE TABLE heartbeats (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
