drop function app.set_password(text, text);

drop function app.own_login();

drop function app.judge_login(text, text, interval);

drop function app.address_key(text);

drop index login_failures_by_both;
