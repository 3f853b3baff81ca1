"""Galleries that are killed, lose power, meet full and failing disks, and must not lose anything.

toy.py      small pictures, and a network that a person can check
life.py     a writer that says what it is about to do and what is done; what must be there then
kills.py    a process that is killed at random instants
disk.py     what is written and what of it is durable; what power loss may leave
power.py    power losses in recorded lives
faults.py   disks that fail and disks that are full
"""
