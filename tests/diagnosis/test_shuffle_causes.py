"""Every statistic of the shuffles has words of its own, so that no finding of dependence is without a cause."""

from initcheck.diagnosis.shuffle_causes import shuffle_cause
from initcheck.statistics.extremes import Pairs, Places
from initcheck.statistics.permutation import STATISTICS


def test_every_statistic_has_a_sentence_of_its_own():
    names = {*STATISTICS, *Places.names, *Pairs.names}
    causes = [shuffle_cause(name) for name in names]
    assert len({cause.sentence for cause in causes}) == len(names) == len(STATISTICS) + len(Places.names)
    assert all("dependent" in cause.fix for cause in causes)
