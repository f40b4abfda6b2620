do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid::regprocedure from pg_proc
         where pronamespace = 'app'::regnamespace and 'jit=off' = any (proconfig)
    loop
        execute format('alter function %s reset jit', v_function);
    end loop;
end $$;
