INSERT INTO customers (email) VALUES ('ada@example.com');
INSERT INTO customers (email, invited_by) VALUES ('grace@example.com', 1), ('linus@example.com', 1);
INSERT INTO products (name, price, stock) VALUES ('lamp', 49.90, 5), ('book', 12.50, 100), ('chair', 120, 1), ('rug', 80, 0);
INSERT INTO orders (customer_id, invoice) VALUES (1, nextval('invoice_number'));
INSERT INTO order_lines VALUES (1, 2, 3);
INSERT INTO settings VALUES ('currency', 'EUR'), ('shipping', '4.90');
