"""The data item register: each item's holder, purpose and legal basis; without a valid one nothing moves (crosscutting).

Files ``register/items.toml`` and ``register/bases.toml`` of the municipality's folder:

``[[items]]``  code, caption, domain, holder (office code), sources (list of source codes),
    sensitivity, types (困難の類型 it may serve, Japanese labels), refresh, note.
``[[bases]]``  code, basis (a LegalBasis code), article, items (codes, or ["*"] of ``holder``), purposes,
    nature (臨時|恒常), from_institution, to_institution, valid_from, valid_to (exclusive, may be
    absent), decision_number, reasonable_grounds (required for 69条2項2号・3号), approved_by.
``[[refused]]`` code, caption, holder, why, decided_on, decided_by.
"""
