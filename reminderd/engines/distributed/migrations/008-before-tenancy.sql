-- Many clinics in one database: whoever works for some of them finds nothing of the others.
--
-- The scope is the setting `reminderd.clinics`, an array in PostgreSQL's writing such as `{a,b}`,
-- that each transaction sets for itself. Unset or empty it means everything: who administers, brings
-- up to date, copies or dumps the database says nothing. `{}` means nobody's. The policies are
-- forced, for the role that reminderd connects as owns the tables; superusers go past them.
CREATE FUNCTION scope() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('reminderd.clinics', true), '')::text[]
$$;

-- A clinic's own key for a patient is its own: another clinic may have the same for somebody else.
ALTER TABLE patients ADD CONSTRAINT patients_ref_of_clinic UNIQUE (ref, clinic);
ALTER TABLE patients DROP CONSTRAINT patients_ref_key;

-- What is handed over stands where it is written and read all the time: its clinic is in the row.
ALTER TABLE messages ADD COLUMN clinic text COLLATE "C" NOT NULL DEFAULT '';
UPDATE messages SET clinic = patients.clinic FROM patients WHERE patients.id = patient;
ALTER TABLE messages ALTER COLUMN clinic DROP DEFAULT;
ALTER TABLE attempts ADD COLUMN clinic text COLLATE "C" NOT NULL DEFAULT '';
UPDATE attempts SET clinic = messages.clinic FROM messages WHERE messages.id = message;
ALTER TABLE attempts ALTER COLUMN clinic DROP DEFAULT;

CREATE FUNCTION clinic_of_attempt() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    SELECT messages.clinic INTO NEW.clinic FROM reminderd.messages WHERE messages.id = NEW.message;
    RETURN NEW;
END
$$;
CREATE TRIGGER messages_have_a_clinic BEFORE INSERT ON messages
FOR EACH ROW WHEN (NEW.clinic IS NULL) EXECUTE FUNCTION clinic_of_reminder();
CREATE TRIGGER attempts_have_a_clinic BEFORE INSERT ON attempts
FOR EACH ROW WHEN (NEW.clinic IS NULL) EXECUTE FUNCTION clinic_of_attempt();

-- Only who works for both clinics can move a patient: the others do not see one of the two rows.
CREATE OR REPLACE FUNCTION clinic_of_patient() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reminderd.reminders SET clinic = NEW.clinic
    WHERE session IN (SELECT id FROM reminderd.sessions WHERE patient = NEW.id);
    UPDATE reminderd.attempts SET clinic = NEW.clinic
    WHERE message IN (SELECT id FROM reminderd.messages WHERE patient = NEW.id);
    UPDATE reminderd.messages SET clinic = NEW.clinic WHERE patient = NEW.id;
    RETURN NULL;
END
$$;

-- Of a patient, by the clinic that stands in the row. `(SELECT scope())` is read once a statement.
ALTER TABLE patients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON patients USING (
    (SELECT scope()) IS NULL OR clinic IN (SELECT unnest(scope()))
);
ALTER TABLE reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON reminders USING (
    (SELECT scope()) IS NULL OR clinic IN (SELECT unnest(scope()))
);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON messages USING (
    (SELECT scope()) IS NULL OR clinic IN (SELECT unnest(scope()))
);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON attempts USING (
    (SELECT scope()) IS NULL OR clinic IN (SELECT unnest(scope()))
);

-- Of a patient, by way of the row that it belongs to, whose own policy says whether it is ours. It
-- is looked up by its number, and not with EXISTS, for which all rows that there are might be read.
ALTER TABLE consents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON consents USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
ALTER TABLE consent_ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON consent_ledger USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON sessions USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
ALTER TABLE session_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON session_changes USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM sessions WHERE sessions.id = session)
);
ALTER TABLE zone_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON zone_changes USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON corrections USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM reminders WHERE reminders.id = reminder)
);
ALTER TABLE message_reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON message_reminders USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM reminders WHERE reminders.id = reminder)
);
ALTER TABLE callbacks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON callbacks USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM attempts WHERE attempts.id = attempt)
);

-- What people wrote, and red flags, are of those who were found to have the number. Where that is
-- nobody, and until somebody has looked, they are of whoever received them: `clinics` is the scope
-- of that process, and empty where it had none. Then they are everybody's.
ALTER TABLE replies ADD COLUMN clinics text[] NOT NULL DEFAULT coalesce(scope(), '{}');
ALTER TABLE incidents ADD COLUMN clinics text[] NOT NULL DEFAULT coalesce(scope(), '{}');
CREATE FUNCTION was_ours(clinics text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT clinics = '{}' OR clinics && reminderd.scope()
$$;

-- Whether somebody has the number is asked without the scope.
CREATE FUNCTION is_nobodys_reply(which bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ours text := coalesce(current_setting('reminderd.clinics', true), '');
    found boolean;
BEGIN
    PERFORM set_config('reminderd.clinics', '', true);
    found := EXISTS (SELECT FROM reminderd.reply_patients WHERE reply = which);
    PERFORM set_config('reminderd.clinics', ours, true);
    RETURN NOT found;
END
$$;
CREATE FUNCTION is_nobodys_incident(which bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ours text := coalesce(current_setting('reminderd.clinics', true), '');
    found boolean;
BEGIN
    PERFORM set_config('reminderd.clinics', '', true);
    found := EXISTS (SELECT FROM reminderd.incident_patients WHERE incident = which);
    PERFORM set_config('reminderd.clinics', ours, true);
    RETURN NOT found;
END
$$;
ALTER TABLE replies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON replies USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM reply_patients WHERE reply = id LIMIT 1)
    OR was_ours(clinics) AND is_nobodys_reply(id)
);
ALTER TABLE incidents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON incidents USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM incident_patients WHERE incident = id LIMIT 1)
    OR was_ours(clinics) AND is_nobodys_incident(id)
);

-- Nobody comes to see what is another's by putting a patient of ours to it: new rows need both.
CREATE FUNCTION sees_reply(which bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM reminderd.replies WHERE id = which)
$$;
CREATE FUNCTION sees_incident(which bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM reminderd.incidents WHERE id = which)
$$;
ALTER TABLE reply_patients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON reply_patients USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
CREATE POLICY of_what_we_see ON reply_patients AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT scope()) IS NULL OR sees_reply(reply)
);
ALTER TABLE incident_patients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON incident_patients USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM patients WHERE patients.id = patient)
);
CREATE POLICY of_what_we_see ON incident_patients AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT scope()) IS NULL OR sees_incident(incident)
);
ALTER TABLE incident_replies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON incident_replies USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM incidents WHERE incidents.id = incident)
);
CREATE POLICY of_what_we_see ON incident_replies AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT scope()) IS NULL OR sees_reply(reply)
);
ALTER TABLE check_replies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON check_replies USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM reminders WHERE reminders.id = reminder)
);
CREATE POLICY of_what_we_see ON check_replies AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT scope()) IS NULL OR sees_reply(reply)
);
ALTER TABLE answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON answers USING (
    (SELECT scope()) IS NULL OR (SELECT true FROM replies WHERE replies.id = reply)
);

-- What staff are told, and what they signed, is theirs who told it and who signed: a signature for
-- one clinic lets nothing leave at another. The same may be said by several.
ALTER TABLE alerts ADD COLUMN clinics text[] NOT NULL DEFAULT coalesce(scope(), '{}');
ALTER TABLE alerts ADD CONSTRAINT alerts_of_clinics UNIQUE (key, place, clinics);
ALTER TABLE alerts DROP CONSTRAINT alerts_key_place_key;
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON alerts USING ((SELECT scope()) IS NULL OR was_ours(clinics));
ALTER TABLE approvals ADD COLUMN clinics text[] NOT NULL DEFAULT coalesce(scope(), '{}');
ALTER TABLE approvals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON approvals USING ((SELECT scope()) IS NULL OR was_ours(clinics));

-- The audit trail is one chain for the database: it is checked as a whole, without a scope, and
-- each goes on where the last one ended. Listed is what is about a patient of ours, or about nobody.
ALTER TABLE audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_our_clinics ON audit FOR SELECT USING (
    (SELECT scope()) IS NULL OR patient IS NULL OR (
        SELECT true FROM patients
        WHERE patients.id BETWEEN patient AND coalesce(last_patient, patient) LIMIT 1
    )
);
CREATE POLICY goes_on ON audit FOR INSERT WITH CHECK (true);
CREATE POLICY triggers_refuse ON audit FOR UPDATE USING (true);
CREATE POLICY triggers_refuse_too ON audit FOR DELETE USING (true);
CREATE OR REPLACE FUNCTION audit_goes_on() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    ours text := coalesce(current_setting('reminderd.clinics', true), '');
    last bigint;
BEGIN
    PERFORM set_config('reminderd.clinics', '', true);
    last := coalesce(max(id), 0) FROM reminderd.audit;
    PERFORM set_config('reminderd.clinics', ours, true);
    IF NEW.id IS DISTINCT FROM last + 1 THEN
        RAISE EXCEPTION 'the audit trail only goes on at its end'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

-- Not of a clinic, and read by all: the texts of protocols, which are pinned by what is in them;
-- objections, which are hashes and hold for whoever has that address; and what the machines of one
-- cluster know of each other. Notes are told apart by their keys.
