alter function app.take_in_known(jsonb) reset enable_sort;
