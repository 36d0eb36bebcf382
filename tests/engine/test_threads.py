from threadpoolctl import threadpool_info, threadpool_limits

from jdaviz_lrs.engine.threads import single_thread


def blas():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_one_thread_inside_and_as_many_as_before_after():
    with threadpool_limits(2, user_api="blas"):
        before = blas()
        first, second = single_thread(), single_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)  # they overlap, as in two Python threads
        assert blas() == {1}
        second.__exit__(None, None, None)
        assert blas() == before
        with single_thread():
            assert blas() == {1}
        assert blas() == before
