-- depends: 0074.skip

-- app.bus_look leaves out itself what calls nothing off: nobody asks any more.
drop function app.bus_with_cancellable(uuid[], uuid[]);
