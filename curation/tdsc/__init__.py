"""TDSC, temperature self-critique: read a text many times at several temperatures, and let a critic choose.

Geng et al., "Bridging the Stability-Expressivity Gap" (arXiv 2605.27383), section 4.3: in round k every text is read at
two fixed temperatures and at T_max(k), which rises; a reading is accepted if its words, its repetition and its length
hold; the accepted reading with the fewest word errors wins, and one that fails on words alone loses.

    config       the settings, and the rule
    candidates   what is stored of every text's readings
    ladder       the steps of the temperatures, in one mode or in both of DGSA
    controller   where the next round's readings are spent
    choosing     winners, losers, and what a release gets
    accounts     pass rate and contribution of every temperature
    rounds       the loop: casts a round from what is stored, and never from memory
"""
