-- Why a worker sends nothing though others do; empty where it may.
ALTER TABLE workers ADD COLUMN trouble text COLLATE "C" NOT NULL DEFAULT '';
