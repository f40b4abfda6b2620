-- Files of messages, and uploads.

-- name: with_files
-- Of some events, by their places from 1, those whose message carries files.
-- Bounded by the events given.
select app.bus_with_files(:users, :messages)

-- name: expect
-- What is to be fetched of a message whose channel is connected; the second time nothing happens.
insert into media (user_id, channel_id, message_id, position, state, mime_type, file_name)
select m.user_id, m.channel_id, m.message_id, a.position - 1, 'pending', a.file ->> 'mime_type', a.file ->> 'file_name'
  from messages m
  join connections k using (user_id, channel_id)
 cross join jsonb_array_elements(m.attachments) with ordinality as a (file, position)
 where m.user_id = :user_id
   and m.message_id = :message_id
   and (k.provider <> 'email' or exists (
           select from connection_secrets s
            where s.user_id = k.user_id and s.channel_id = k.channel_id and s.name = 'inbound.api_key'))
   and coalesce((k.options ->> 'fetch_media')::boolean, true)
   and a.file ->> 'type' in ('image', 'audio', 'video', 'document', 'sticker')
   and (a.file ->> 'url' ~ '^https?://' or a.file ->> 'external_id' is not null)
    on conflict do nothing

-- name: expect_text
-- Resend posts a mail without its words: they are fetched like a file, in a row that no attachment has.
insert into media (user_id, channel_id, message_id, position, state)
select m.user_id, m.channel_id, m.message_id, -1, 'pending'
  from messages m
  join connections k using (user_id, channel_id)
  join connection_secrets s on s.user_id = k.user_id and s.channel_id = k.channel_id and s.name = 'inbound.api_key'
 where m.user_id = :user_id
   and m.message_id = :message_id
   and m.body = ''
   and k.config #>> '{inbound,provider}' = 'resend'
    on conflict do nothing

-- name: drop_text
-- It is in its message.
delete from media where user_id = :user_id and media_id = :media_id and position = -1

-- name: adopt_uploads
-- Uploads that a message of ours carries become its files.
update media d
   set message_id = m.message_id, position = a.position - 1, channel_id = m.channel_id
  from messages m
 cross join jsonb_array_elements(m.attachments) with ordinality as a (file, position)
 where m.user_id = :user_id
   and m.message_id = :message_id
   and d.user_id = m.user_id
   and d.message_id is null
   and d.media_id::text = substring(a.file ->> 'url' from '/api/v1/media/([0-9a-f-]{36})[?]')

-- name: forget
-- The files of a message that was deleted.
delete from media where user_id = :user_id and message_id = :message_id

-- name: keep
-- A file that came with its post; of a mail that came again the same.
insert into media (user_id, channel_id, message_id, position, state, sha256, size, mime_type, file_name, error)
select :user_id, m.channel_id, m.message_id, :position, :state, :sha256, :size, :mime_type, :file_name, :error
  from messages m
 where m.user_id = :user_id and m.message_id = :message_id
    on conflict do nothing

-- name: add_upload
-- Nobody's yet.
insert into media (user_id, media_id, state, sha256, size, mime_type, file_name)
values (:user_id, :media_id, 'stored', :sha256, :size, :mime_type, :file_name)

-- name: used
-- Bytes that a tenant has stored.
select coalesce(sum(size), 0)::bigint from media where user_id = :user_id and state = 'stored'

-- name: sends_mail
-- Whether some channel needs no public address to send a file.
select exists (select from connections where user_id = :user_id and provider = 'email')

-- name: claim
-- To be fetched, each by one worker.
select * from app.claim_media(:most, :lease, :busy)

-- name: due_in
-- Seconds until there is something to fetch.
select app.media_due_in()

-- name: to_fetch
-- The attachment as the messenger told of it.
select d.attempts, d.created_at, d.message_id, d.position, d.mime_type, d.file_name,
       m.external_id as message_external_id, h.external_account_id as account,
       case when d.position >= 0 then m.attachments -> d.position end as attachment,
       (select p.payload #>> '{data,email_id}' from message_payloads p
         where p.user_id = d.user_id and p.message_id = d.message_id) as email_id
  from media d
  join messages m using (user_id, message_id)
  join channels h on h.user_id = m.user_id and h.channel_id = m.channel_id
 where d.user_id = :user_id and d.media_id = :media_id and d.state = 'pending'

-- name: settle
-- Fetched, given up, or to be tried again.
update media
   set state = :state, sha256 = :sha256, size = :size, mime_type = coalesce(:mime_type, mime_type),
       file_name = coalesce(:file_name, file_name), error = :error,
       due_at = now() + make_interval(secs => :wait)
 where user_id = :user_id and media_id = :media_id and state = 'pending'

-- name: of_attachment
-- The file of one attachment.
select d.user_id, d.media_id, d.state, d.sha256, d.size, d.mime_type, d.file_name, d.error,
       m.attachments -> d.position as attachment
  from media d
  join messages m using (user_id, message_id)
 where d.user_id = :user_id and d.message_id = :message_id and d.position = :position

-- name: of_upload
-- A file by its id.
select user_id, media_id, state, sha256, size, mime_type, file_name
  from media
 where user_id = :user_id and media_id = :media_id

-- name: by_link
-- Before the signature tells whether it may be seen.
select * from app.find_media(:media_id, :message_id, :position)

-- name: again
-- Begin anew.
update media
   set state = 'pending', attempts = 0, due_at = now(), created_at = now(), error = null
 where user_id = :user_id and media_id = :media_id and state <> 'stored'

-- name: unknown
-- Files in the store that no row names.
select user_id, sha256 from app.unknown_media(:users, :digests)

-- name: forget_unused
-- Uploads of yesterday that nobody has sent.
select app.forget_unused_media(now() - make_interval(secs => :age))
