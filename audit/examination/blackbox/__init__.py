"""The black box: vetted, loaded, checked, scored.

The way through this room: `intake` asks `load` what a file is and has it vetted (`vet`, `program`, `expression`) and
loaded (`exported`, `module`, `tensors`, `factory`); `encode` and `levels` feed it, `output` reads it, `contract` tries
it, `score` scores every row. `export` and `steps` go the other way.
"""
