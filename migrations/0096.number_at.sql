-- depends: 0095.told_at_once

-- The moment in an id of version 7.
create function app.moment_of(p_id uuid) returns timestamptz
language sql immutable strict parallel safe
as $$ select to_timestamp(('x' || left(replace(p_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) $$;

-- A number in the tenant's log below which it is older than a moment, by halves. Numbers and times are drawn together,
-- but not in one step: whoever asks leaves some room before the moment.
create function app.number_at(p_at timestamptz) returns bigint
language plpgsql stable strict
as $$
declare
    v_user constant uuid := app.current_user_id();
    v_low  bigint := 0;
    v_high bigint := (select max(e.number) from ai_events e where e.user_id = v_user);
    v_half bigint;
    v_at   timestamptz;
begin
    while v_low < v_high loop
        v_half := (v_low + v_high) / 2;
        select e.created_at, e.number into v_at, v_half
          from ai_events e where e.user_id = v_user and e.number > v_half order by e.number limit 1;
        if v_at < p_at then
            v_low := v_half;
        else
            v_high := (v_low + v_high) / 2;
        end if;
    end loop;
    return v_low;
end $$;
