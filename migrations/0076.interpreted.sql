-- depends: 0075.cancellable

-- These functions forbid plans that read whole tables, by a price: PostgreSQL takes such a statement for a very dear one
-- and compiles it, where jit is on, as it is on a server that nobody changed. That takes seconds, for a statement of
-- milliseconds.
do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid::regprocedure from pg_proc
         where pronamespace = 'app'::regnamespace and 'enable_seqscan=off' = any (proconfig)
    loop
        execute format('alter function %s set jit = off', v_function);
    end loop;
end $$;
